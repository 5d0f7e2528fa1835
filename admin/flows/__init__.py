"""Flows in the admin: the list, the editor with its canvas, versions, tests, and walking through a flow in the browser."""
