"""Mails handed over: to a server by SMTP, or into a folder."""
