SELECT min(ordinal) FROM removed
