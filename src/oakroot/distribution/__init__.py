"""How zones reach those who copy them: kept versions, whom to notify and when, transfers side by side.

Any role that serves zones uses this room; it knows none of them. All of it is sans I/O but `service`.
"""
