"""Set-up › Prompts: what callers hear, listened to, replaced, recorded and rolled back."""
