"""The networks, one file each: no data, no optimiser, no file."""
