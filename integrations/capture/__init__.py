"""What every front end shares: which arrays stand behind which nodes, the fallback, and who called."""
