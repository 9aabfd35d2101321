"""How many matches are false: impostor tails, labelled pairs, plots."""
