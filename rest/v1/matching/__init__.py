"""The nouns about matches: which pictures match, comparing two, searching, and the encodings behind it."""
