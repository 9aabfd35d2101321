"""The routes of `/v1`, one file a noun, nouns that belong together in one room; `nouns` lists them all."""
