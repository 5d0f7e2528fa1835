"""One call's life: from the first ring to the last goodbye, whichever process it ends in."""
