"""The fault matrix: every fault as data, and the expected result of a call over each transport.

python -m faults            the matrix as a table (with tests/ on the path; `nox -s matrix`)
python -m faults.storm      calls cancelled at every await, and a service that is down
python -m faults.soak       many calls, some with faults; nothing grows
python -m faults.fuzz       many broken responses; only our errors are raised
"""
