"""How a zone looks from outside: who asks (`walk`, `asking`, `examination`), and who judges (`judge`)."""
