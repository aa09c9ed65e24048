"""The remote: where zone files come from and machine edits go to.

Here live the remote's address, the credentials for it, the transports (path, git, http, https, ssh) and the
bare copy of its history. What the files mean, and when to pull or push, is for other rooms.

This file imports nothing, on purpose: `oakroot.git.remote`, `.credentials` and `.errors` are cheap to import,
`oakroot.git.repository` brings dulwich, asyncssh and urllib3 with it.
"""
