"""The lazy front ends: each records one library's calls as graph nodes."""
