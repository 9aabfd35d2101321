"""Groups: which faces show one person, one face after the other."""
