"""The fault matrix: every fault as data, and what a call over each transport makes of it.

python -m faults            the matrix as a table (with tests/ on the path; `nox -s matrix`)
python -m faults.storm      calls cancelled at every await, and a service that is down
python -m faults.soak       very many calls, some with faults; nothing grows
python -m faults.fuzz       very many broken answers; only our errors come out
"""
