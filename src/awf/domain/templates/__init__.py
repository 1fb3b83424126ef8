"""The template language of workflow files: Go's ``text/template`` over the scope of ``domain.scope``.

Namespaces are read as ``{{.inputs.x}}`` and ``{{inputs.x}}``. A missing key is an error, and just false in ``if``,
``with``, ``and``, ``or``, ``not`` and ``default``. Whole numbers print whole, lists and maps as compact JSON, nil as
``<no value>``; texts are measured and cut in characters. Rendering is bounded: 10 MiB of output, a count of steps, a depth.
"""

from __future__ import annotations

from awf.domain.templates.faults import TemplateFailure
from awf.domain.templates.references import Reference
from awf.domain.templates.run import FileReader, Text, Value
from awf.domain.templates.template import (
    Template,
    parse_template,
    parse_with_tree,
    render,
    render_parts,
    render_value,
)

__all__ = [
    "FileReader",
    "Reference",
    "Template",
    "TemplateFailure",
    "Text",
    "Value",
    "parse_template",
    "parse_with_tree",
    "render",
    "render_parts",
    "render_value",
]
