"""What running a service takes beside its task: settings, logs, the terminal. Knows no role and no DNS."""
