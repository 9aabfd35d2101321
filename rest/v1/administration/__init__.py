"""The nouns of operators: keys, the audit log, figures of the fleet, and what could not be processed."""
