"""Whole conferences: set up concurrently, undone on failure, always torn down.

A plan (`plan`, `subscriptions`, `plan_json`) is carried out by `setup`. `context` keeps the result
`live` for the length of a block; `bulk_setup` and `bulk_teardown` do many at a time in a `pipeline`
and keep a `journal`. `deletion` deletes.
"""
