"""A web page and awf, in a real browser: the page of the user's own gets in, a foreign one does not."""

from __future__ import annotations

from acceptance.facts import Gate
from acceptance.server import Project
from acceptance.snippets import snippet
from system.browser import Browser
from system.pages import Pages


def test_the_javascript_example_runs_in_an_allowed_page(
    project: Project, browser: Browser, pages: Pages
) -> None:
    project.take_examples()
    server = project.serve("--allow-origin", pages.origin)
    tab = browser.open(pages.put("/example", snippet("javascript", server.port)))
    tab.until(
        lambda: any(line.startswith("Workflow done:") for line in tab.console()), "the end of the workflow"
    )
    lines = tab.console()
    assert [line.split('"step_name": "')[1].split('"')[0] for line in lines[:-1]] == [
        "read",
        "analyze",
        "report",
    ]
    assert all(line.startswith("Step started: ") for line in lines[:-1])
    assert '"status": "completed"' in lines[-1]
    assert tab.faults() == []


WATCH = """
const source = new EventSource('{url}/api/executions/{execution}/events');
for (const name of ['step.started', 'output', 'step.completed', 'workflow.completed'])
  source.addEventListener(name, event => console.log(event.lastEventId, name));
source.onerror = () => console.log('error', source.readyState);
"""


def test_the_end_of_a_stream_stops_the_browser_from_reconnecting(
    project: Project, browser: Browser, pages: Pages
) -> None:
    gate = Gate(project.root / "gate")
    project.steps("gated", f"echo begun; {gate.wait}", "echo two")
    server = project.serve("--allow-origin", pages.origin)
    execution = server.run("gated")
    script = WATCH.replace("{url}", f"http://localhost:{server.port}").replace("{execution}", execution)
    tab = browser.open(pages.put("/watch", script))
    tab.until(lambda: any(line.endswith(" output") for line in tab.console()), "the first output")
    gate.open()
    tab.until(lambda: "error 2" in tab.console(), "the browser gives up")
    events = [line for line in tab.console() if not line.startswith("error")]
    assert events == [f"{event.id} {event.name}" for event in server.events(execution)]
    streams = [url for url in tab.requests() if url.endswith("/events")]
    answers = [answer["response"]["status"] for answer in tab.seen("Network.responseReceived")]
    assert len(streams) == 2
    assert answers[-1] == 204


ATTACK = """
const target = '{url}/api/workflows/touch/run';
const json = {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{}'};
const attempts = [
  () => fetch(target, json),
  () => fetch(target, {method: 'POST', mode: 'no-cors'}),
  () => fetch(target, {method: 'POST', mode: 'no-cors', body: '{"inputs": {}}'}),
  () => fetch('{url}/api/executions/{execution}', {method: 'DELETE'}),
  () => fetch('{url}/api/executions').then(answer => answer.text()),
  () => new Promise((_, refused) => {
    new EventSource('{url}/api/executions/{execution}/events').onerror = refused;
  }),
];
for (const attempt of attempts)
  await attempt().then(answer => console.log('let through', answer.type ?? answer), () => console.log('refused'));
document.forms[0].submit();
"""


def test_a_page_of_another_origin_can_start_cancel_and_read_nothing(
    project: Project, browser: Browser, pages: Pages
) -> None:
    project.steps("touch", "echo touched >>touched")
    project.steps("short", "true")
    server = project.serve("--allow-origin", "http://localhost:1")
    execution = server.run("short")
    server.wait(execution)
    before = server.body("/api/executions")
    url = f"http://localhost:{server.port}"
    form = f'<form method="post" enctype="text/plain" action="{url}/api/workflows/touch/run"><input name="a"></form>'
    script = ATTACK.replace("{url}", url).replace("{execution}", execution)
    tab = browser.open(pages.put("/attack", script, form))
    # A no-cors request is sent, and its answer is hidden from the page: what counts is what the server did.
    tab.until(lambda: len(tab.console()) == 6, "the end of the attempts")
    assert tab.console() == [
        "refused",
        "let through opaque",
        "let through opaque",
        "refused",
        "refused",
        "refused",
    ]
    posted = tab.until(
        lambda: [
            answer["response"]
            for answer in tab.seen("Network.responseReceived")
            if answer["type"] == "Document" and answer["response"]["url"].startswith(url)
        ],
        "the answer to the form",
    )
    assert [answer["status"] for answer in posted] == [403]
    assert server.body("/api/executions") == before
    assert not (project.root / "touched").exists()


def test_the_documentation_works_without_a_network(project: Project, browser: Browser) -> None:
    project.take_examples()
    server = project.serve()
    tab = browser.open(f"{server.url}/docs")
    shown = tab.evaluate(
        """new Promise(found => {
          const look = () => {
            const paths = [...document.querySelectorAll('.opblock-summary-path')].map(node => node.dataset.path);
            if (paths.length > 10) { watcher.disconnect(); found(paths); }
          };
          const watcher = new MutationObserver(look);
          watcher.observe(document, {childList: true, subtree: true});
          look();
        })"""
    )
    assert {"/api/workflows/{name}/run", "/api/executions/{id}/events", "/api/history/stats"} <= set(shown)
    assert [url for url in tab.requests() if not url.startswith((server.url, "data:"))] == []
    assert tab.faults() == []
    assert tab.seen("Network.loadingFailed") == []
