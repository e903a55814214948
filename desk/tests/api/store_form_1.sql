CREATE TABLE approvals (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    subject TEXT NOT NULL,
    issuer TEXT NOT NULL,
    rule TEXT NOT NULL,
    policy TEXT NOT NULL,
    question TEXT NOT NULL,
    filter TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'used', 'expired')),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    decided INTEGER,
    used INTEGER,
    reviewer TEXT,
    reason TEXT
) STRICT;
CREATE INDEX approvals_same ON approvals (digest, subject, issuer, rule, policy, seq);
CREATE INDEX approvals_pending ON approvals (subject) WHERE state = 'pending';
CREATE INDEX approvals_open ON approvals (expires) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_state ON approvals (state, seq);
CREATE TABLE sessions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    time TEXT NOT NULL,
    subject TEXT,
    operation TEXT,
    action TEXT,
    code TEXT,
    worker TEXT NOT NULL,
    number INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_subject ON sessions (subject, seq);
CREATE INDEX sessions_action ON sessions (action, seq);
CREATE INDEX sessions_worker ON sessions (worker, number);
INSERT INTO approvals VALUES (1, 'apr_1', 'd', 'carol', 'i', 'r', 'p', '{}', 'edge', 'pending', 1, 2, NULL, NULL, NULL, NULL);
INSERT INTO approvals VALUES (2, 'apr_2', 'd', 'carol', 'i', 'r', 'p', '{}', 'edge', 'used', 1, 2, 1, 1, 'ana', NULL);
PRAGMA user_version = 1;
