"""Whole conferences: set up concurrently, undone on failure, torn down whatever happens.

Plans (`hearing`, `plan`, `plan_json`) become a `setup` of one conference, which a `context` makes
`live`, or which a `pipeline` of many keeps in a `journal`. `background_work` keeps the work
going that no caller's cancellation may end, and `deletion` deletes.
"""
