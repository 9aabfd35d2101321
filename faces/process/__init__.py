"""What every process of ours needs around its work: its log, signals, probes, metrics, pauses, pipes to a child."""
