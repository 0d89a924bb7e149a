"""The bench: how fast every stage is on this machine, against what people would write instead."""
