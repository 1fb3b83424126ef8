"""Wake-ups and presence between the processes of one machine."""
