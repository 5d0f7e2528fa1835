"""Set-up › Prompts: what callers hear, listened to, replaced, recorded and taken back."""
