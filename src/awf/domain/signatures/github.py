"""``github.*``."""

from __future__ import annotations

from awf.domain.signatures import Parameter, Signature

STRATEGIES = ("best_effort", "all_succeed", "any_succeed")

_REPO = Parameter(
    "repo", description="OWNER/NAME; else the repository of the working directory.", pattern="[^/\\s]+/[^\\s]+$",
    refusal='repo must be OWNER/NAME, not "{value}"',
)  # fmt: skip
_NUMBER = Parameter("number", "integer", "The number of the issue or pull request.", required=True, minimum=1)
_TITLE = Parameter("title", description="The title.", required=True)
_BODY = Parameter("body", description="The text, in Markdown.", default="")
_ISSUE = {
    "number": "Its number.",
    "title": "Its title.",
    "body": "Its text.",
    "state": "OPEN or CLOSED.",
    "labels": "Its labels, each with a name.",
}

GITHUB = (
    Signature("github.get_issue", "Read an issue.", (_NUMBER, _REPO), _ISSUE),
    Signature(
        "github.get_pr",
        "Read a pull request.",
        (_NUMBER, _REPO),
        {
            **_ISSUE,
            "state": "OPEN, CLOSED or MERGED.",
            "headRefName": "The branch that it is from.",
            "baseRefName": "The branch that it is for.",
            "mergeable": "MERGEABLE, CONFLICTING or UNKNOWN.",
            "mergedAt": "When it was merged; else null.",
        },
    ),
    Signature(
        "github.create_pr",
        "Open a pull request; one that is open already is a success as well.",
        (
            _TITLE,
            Parameter("head", description="The branch that it is from.", required=True),
            Parameter("base", description="The branch that it is for.", required=True),
            _BODY,
            Parameter("draft", "boolean", "Whether it is a draft.", default=False),
            _REPO,
        ),
        {
            "number": "Its number.",
            "url": "Its address.",
            "already_exists": 'The text "true" where it was open already, else "false".',
        },
    ),
    Signature(
        "github.create_issue",
        "Open an issue.",
        (
            _TITLE,
            _BODY,
            Parameter("labels", "array", "Labels.", items="string", separated=True),
            Parameter("assignees", "array", "Who it is assigned to.", items="string", separated=True),
            _REPO,
        ),
        {"number": "Its number.", "url": "Its address."},
    ),
    Signature(
        "github.add_labels",
        "Label an issue or a pull request.",
        (
            _NUMBER,
            Parameter("labels", "array", "Labels.", required=True, items="string", separated=True),
            _REPO,
        ),
        {"labels": "The labels that were added, with commas between them."},
    ),
    Signature(
        "github.list_comments",
        "Read the comments on an issue or a pull request.",
        (_NUMBER, _REPO),
        {"comments": "Each with author, body, createdAt and url."},
    ),
    Signature(
        "github.add_comment",
        "Comment on an issue or a pull request.",
        (_NUMBER, Parameter("body", description="The text, in Markdown.", required=True), _REPO),
        {"comment_id": "The comment's number, as a text.", "url": "Its address."},
    ),
)

BATCH = Signature(
    "github.batch",
    "Perform several github operations.",
    (
        Parameter(
            "operations",
            "array",
            "Each with the name of an operation, and its inputs under 'inputs' or beside the name.",
            required=True,
        ),
        Parameter(
            "strategy",
            description="When the batch succeeds: always, where all do, or where one does.",
            default="best_effort",
            choices=STRATEGIES,
        ),
        Parameter("concurrency", "integer", "How many run at once.", default=3, minimum=1),
    ),
    {
        "total": "How many operations there were.",
        "succeeded": "How many succeeded.",
        "failed": "How many failed.",
        "results": "Of each operation, in order: name, success, and outputs or error.",
    },
)
