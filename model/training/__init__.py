"""The training loop, apart from what is trained: epochs, schedule, average, saving, resuming, logs, processes."""
