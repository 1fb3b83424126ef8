-- The range of one attempt also holds what parallel branches wrote meanwhile.
SELECT type, version, body
FROM events
WHERE ordinal = :ordinal AND seq BETWEEN :first AND :last AND step = :step
ORDER BY seq DESC
