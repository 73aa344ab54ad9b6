"""What a call costs, side by side with others: `python -m benchmarks`."""
