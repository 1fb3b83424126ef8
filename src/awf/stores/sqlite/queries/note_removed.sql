INSERT INTO removed (ordinal) VALUES (?)
