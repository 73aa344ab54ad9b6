"""The running event loop, background tasks, deadlines and slots."""
