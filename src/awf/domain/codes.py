"""What the codes of problems with files mean, and what to do about them. ``awf error`` shows them beside those of the error
tree (``awf.errors``)."""

from __future__ import annotations

from collections.abc import Mapping

PROBLEMS: Mapping[str, tuple[str, str]] = {
    "SYSTEM.IO.READ_FAILED": (
        "A file that is there cannot be read.",
        "look at its permissions, and whether it is a regular file",
    ),
    "USER.INPUT.MISSING_FILE": (
        "A file that the workflow names is not there.",
        "make it, or correct the path; paths are meant from the workflow's directory",
    ),
    "USER.INPUT.MISSING_ROLE": (
        "An agent's role that there is not.",
        "add NAME/AGENTS.md to one of the directories that the message names",
    ),
    "USER.INPUT.MISSING_SKILL": (
        "An agent's skill that there is not.",
        "add NAME/SKILL.md to one of the directories that the message names",
    ),
    "USER.MCP_PROXY.UNKNOWN_KEY": (
        "A key below mcp_proxy that it does not have.",
        "remove or correct the key",
    ),
    "USER.MCP_PROXY.EMPTY_PROXY": (
        "An mcp_proxy that is on and offers nothing.",
        "name tools, or turn it off",
    ),
    "USER.MCP_PROXY.NAME_COLLISION": ("Two tools of an mcp_proxy have one name.", "leave one of them out"),
    "USER.MCP_PROXY.UNKNOWN_PLUGIN": (
        "An mcp_proxy exposes operations of a plugin that there is not.",
        "install the plug-in, or correct the name; `awf operations` lists what there is",
    ),
    "USER.MCP_PROXY.UNKNOWN_OPERATION": (
        "An mcp_proxy exposes an operation that there is not.",
        "correct the name; `awf operations` lists what there is",
    ),
    "USER.MCP_PROXY.INFINITE_LOOP_GUARD": (
        "An agent behind a service (openai_compatible) wanted tools called again and again, and never answered.",
        "say in the prompt when it is done, or expose operations that say enough at once",
    ),
    "USER.MCP_PROXY.UNSUPPORTED_PROVIDER": (
        "An agent whose provider cannot be given tools by awf has an mcp_proxy; its steps fail.",
        "choose another provider, or turn mcp_proxy off",
    ),
    "WORKFLOW.EXPRESSION.SYNTAX": (
        "A condition cannot be understood.",
        "correct it at the column that is named",
    ),
    "WORKFLOW.EXPRESSION.UNKNOWN_NAME": (
        "A condition uses a state, an input, a property or a function that there is not.",
        "take the name that is suggested",
    ),
    "WORKFLOW.PACK.NAME": (
        "A pack's directory has no name of a pack.",
        "rename it: small letters, digits and -",
    ),
    "WORKFLOW.PACK.NO_MANIFEST": ("A pack has no manifest.yaml.", "write one: name, version, workflows"),
    "WORKFLOW.PACK.STATE": ("A pack's state.json cannot be understood.", "install the pack again"),
    "WORKFLOW.PARSE.ALIAS": (
        "A YAML alias without its anchor, or aliases that grow too large.",
        "write the value out, or use use_template",
    ),
    "WORKFLOW.PARSE.DUPLICATE_KEY": ("A key stands twice in one map.", "remove one of the two"),
    "WORKFLOW.PARSE.EMPTY": ("The file has no content.", "write a workflow, or remove the file"),
    "WORKFLOW.PARSE.ENCODING": ("The file is not UTF-8 text.", "save it as UTF-8"),
    "WORKFLOW.PARSE.INVALID_VALUE": (
        "A value that its key cannot have.",
        "take one of those that the message names",
    ),
    "WORKFLOW.PARSE.MISSING_FIELD": ("A key that must be there is not.", "add it"),
    "WORKFLOW.PARSE.MULTIPLE_DOCUMENTS": (
        "The file holds more than one YAML document.",
        "make a file of each",
    ),
    "WORKFLOW.PARSE.NOT_A_MAP": (
        "The file is not a map of keys to values.",
        "begin it with name: and states:",
    ),
    "WORKFLOW.PARSE.PACK_WITHOUT_FILE": (
        "A pack's manifest lists a workflow that has no file.",
        "add the file to workflows/, or take the name off the list",
    ),
    "WORKFLOW.PARSE.TOO_DEEP": (
        "The file is nested too deeply.",
        "move parts into a template or a sub-workflow",
    ),
    "WORKFLOW.PARSE.TOO_LARGE": (
        "The file has more than 1 MiB.",
        "move scripts and prompts into files of their own",
    ),
    "WORKFLOW.PARSE.UNKNOWN_KEY": (
        "A key that is not part of the language; it has no effect.",
        "correct its spelling, or remove it",
    ),
    "WORKFLOW.PARSE.UNKNOWN_TAG": ("A YAML tag that has no meaning here.", "remove the tag"),
    "WORKFLOW.PARSE.WRONG_TYPE": (
        "A value of another kind than its key takes.",
        "give what the message asks for",
    ),
    "WORKFLOW.PARSE.YAML_SYNTAX": (
        "The file is not YAML, or a key that makes it a workflow is missing.",
        "look at indentation, colons and quotes at the place that is named",
    ),
    "WORKFLOW.TEMPLATE.SYNTAX": ("A {{…}} cannot be understood.", "correct it at the column that is named"),
    "WORKFLOW.VALIDATION.BROKEN_PLUGIN": (
        "A plug-in that is installed cannot be used.",
        "look at what `awf operations` says of it, or remove it",
    ),
    "WORKFLOW.VALIDATION.CALL_DEPTH": (
        "More than ten sub-workflows call each other.",
        "call fewer levels deep",
    ),
    "WORKFLOW.VALIDATION.CIRCULAR_CALL": ("Sub-workflows call each other in a circle.", "break the circle"),
    "WORKFLOW.VALIDATION.CIRCULAR_TEMPLATE": ("Templates use each other in a circle.", "break the circle"),
    "WORKFLOW.VALIDATION.CONSTANT_CONDITION": (
        "A loop's condition reads nothing that the loop can change.",
        "use a state of its body in it",
    ),
    "WORKFLOW.VALIDATION.FORWARD_REFERENCE": (
        "A value is used of a state that cannot have run before.",
        "use a state that runs earlier, or change the order",
    ),
    "WORKFLOW.VALIDATION.HOLDS_ITSELF": ("A loop or a block holds itself.", "take it out of its own body"),
    "WORKFLOW.VALIDATION.INVALID_PROPERTY": (
        "A property that states do not have, or in another spelling.",
        "take the one that is suggested: Output, Stderr, ExitCode, Status, Response, JSON …",
    ),
    "WORKFLOW.VALIDATION.INVALID_WORKFLOW": (
        "A sub-workflow is invalid.",
        "correct its own errors, which are listed",
    ),
    "WORKFLOW.VALIDATION.MISSING_INPUT": (
        "A call leaves out an input that the sub-workflow requires.",
        "give it",
    ),
    "WORKFLOW.VALIDATION.MISSING_STATE": (
        "A state that is named does not exist.",
        "correct the name, or add the state",
    ),
    "WORKFLOW.VALIDATION.MISSING_WORKFLOW": (
        "A sub-workflow is not there.",
        "correct the name, or install the pack; `awf list` shows what there is",
    ),
    "WORKFLOW.VALIDATION.NAME": (
        "The file's name and its name: differ; the file's name counts.",
        "make them the same",
    ),
    "WORKFLOW.VALIDATION.NESTING": (
        "Blocks are nested more than 100 deep.",
        "move parts into a sub-workflow",
    ),
    "WORKFLOW.VALIDATION.NO_TERMINAL": ("No terminal state can be reached.", "lead a way to one"),
    "WORKFLOW.VALIDATION.NO_WAY_ON": (
        "A state names nothing to go on with when it succeeds.",
        "give it on_success or transitions",
    ),
    "WORKFLOW.VALIDATION.OPERATION_INPUT": (
        "An operation is given an input that it does not take, or is not given one that it needs.",
        "`awf operations NAME` shows its inputs",
    ),
    "WORKFLOW.VALIDATION.OUT_OF_CONTEXT": (
        "loop or error is used where there is none.",
        "use loop in the body of a loop, error in hooks of failures",
    ),
    "WORKFLOW.VALIDATION.RETRY": ("A retry that can never apply.", "set max_attempts above 1"),
    "WORKFLOW.VALIDATION.SHELL_PLACE": (
        "A value stands in a command where it can become code, or where there is no safe form.",
        "put it in quotes, in a variable, or outside ${…}",
    ),
    "WORKFLOW.VALIDATION.TERMINAL_STATUS": (
        "A terminal that is named like a failure counts as a success.",
        "give it status: failure",
    ),
    "WORKFLOW.VALIDATION.UNDEFINED_INPUT": (
        "An input is used that is not declared.",
        "declare it under inputs",
    ),
    "WORKFLOW.VALIDATION.UNKNOWN_INPUT": (
        "A call gives an input that the sub-workflow does not declare.",
        "remove it",
    ),
    "WORKFLOW.VALIDATION.UNKNOWN_NAMESPACE": (
        "A template begins with a name that there is not.",
        "begin with inputs, states, env, workflow, context, awf, loop or error",
    ),
    "WORKFLOW.VALIDATION.UNKNOWN_OPERATION": (
        "An operation that there is not.",
        "take one that `awf operations` shows",
    ),
    "WORKFLOW.VALIDATION.UNKNOWN_OUTPUT": (
        "A call takes an output that the sub-workflow does not declare.",
        "declare it there",
    ),
    "WORKFLOW.VALIDATION.UNKNOWN_PROVIDER": (
        "An agent's provider that there is not.",
        "take one that is suggested",
    ),
    "WORKFLOW.VALIDATION.UNREACHABLE_STATE": ("No way leads to a state.", "lead one there, or remove it"),
}
"""By code: what it says, and what to do."""
