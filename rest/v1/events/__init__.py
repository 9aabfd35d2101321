"""The nouns about events: following them, whose matches are told of, and where events are posted to."""
