// Writing a flow's test: who calls when and presses what, what comes of others, and which way the call must take.

import { ask, button, el, icon, key } from "./dom.js";

const ENDS = ["", "self_service", "answered", "voicemail", "callback", "abandoned_ivr", "abandoned_queue", "after_hours", "no_agent", "timeout", "full", "exit_key", "blocked", "busy", "no_answer", "network"];

// Resolves to whether it was saved.
export function editTest(editor, test) {
  return new Promise((resolve) => {
    const expect = test?.expect || {};
    const local = test ? new Date(test.at).toLocaleString("sv-SE", { timeZone: editor.zone }).slice(0, 16).replace(" ", "T") : "";
    const values = {
      name: el("input", { id: "t-name", value: test?.name || "", maxLength: 100, required: true }),
      at: el("input", { id: "t-at", type: "datetime-local", value: local, required: true }),
      caller: el("input", { id: "t-caller", value: test?.caller || "", maxLength: 40, placeholder: "+4532000000" }),
      called: el("input", { id: "t-called", value: test?.called || "", maxLength: 40 }),
      keys: el("textarea", { id: "t-keys", rows: 3, value: (test?.keys || []).join("\n"), placeholder: "1", spellcheck: false }),
      path: el("textarea", { id: "t-path", rows: 6, value: (expect.path || []).join("\n"), spellcheck: false }),
      prompts: el("textarea", { id: "t-prompts", rows: 2, value: (expect.prompts || []).join("\n"), spellcheck: false }),
      never: el("textarea", { id: "t-never", rows: 2, value: (expect.never || []).join("\n"), spellcheck: false }),
      end: el("select", { id: "t-end" }, ENDS.map((end) => el("option", { value: end, selected: (expect.end || "") === end }, end ? end.replaceAll("_", " ") : "anything"))),
      by: el("select", { id: "t-by" }, [["", "anybody"], ["caller", "the caller"], ["flow", "the flow"]].map(([value, word]) => el("option", { value, selected: (expect.hung_up_by || "") === value }, word))),
      leaves: el("input", { id: "t-leaves", type: "number", min: 0, max: 86400, step: "any", value: test?.hangs_up_after ?? "" }),
      blocks: el("input", { type: "checkbox", checked: test?.blocks !== false }),
    };
    const outcomes = el("div", { class: "outcomes" });
    const names = el("datalist", { id: "t-nodes" }, Object.keys(editor.model.doc.nodes).map((name) => el("option", { value: name })));
    const outcome = (given = {}) => {
      const node = el("input", { value: given.node || "", placeholder: "node", aria: { label: "Node" } });
      node.setAttribute("list", "t-nodes");
      const row = el("div", { class: "outcome" }, node, el("input", { value: given.outcome || "", placeholder: "answered", aria: { label: "How it ends, or the exit" } }), el("input", { type: "number", min: 0, step: "any", value: given.seconds ?? "", placeholder: "s", aria: { label: "Seconds" } }), key("x", "Take away", { onclick: () => row.remove() }));
      row.variables = given.variables;
      row.visit = given.visit;
      return row;
    };
    outcomes.append(...(test?.outcomes || []).map(outcome));
    const fault = el("div", { class: "notice bad", role: "alert", hidden: true });
    const field = (label, control, help = "") => el("div", { class: "field" }, el("label", { htmlFor: control.id }, label), control, help && el("div", { class: "help" }, help));
    const lines = (area) => area.value.split("\n").map((line) => line.trim()).filter(Boolean);
    const read = () => {
      const wanted = { name: values.name.value.trim(), at: editor.instant(values.at.value), caller: values.caller.value.trim(), called: values.called.value.trim(), blocks: values.blocks.checked };
      if (values.keys.value) wanted.keys = values.keys.value.split("\n").map((line) => line.trim());
      wanted.outcomes = [...outcomes.children]
        .map((row) => {
          const [node, end, seconds] = [...row.querySelectorAll("input")].map((input) => input.value.trim());
          return { node, outcome: end, ...(seconds ? { seconds: Number(seconds) } : {}), ...(row.variables ? { variables: row.variables } : {}), ...(row.visit ? { visit: row.visit } : {}) };
        })
        .filter((each) => each.node || each.outcome);
      if (values.leaves.value) wanted.hangs_up_after = Number(values.leaves.value);
      if (test?.hangs_up_in_step) wanted.hangs_up_in_step = test.hangs_up_in_step;
      if (test?.customer) wanted.customer = test.customer;
      wanted.expect = { prompts: lines(values.prompts), never: lines(values.never) };
      if (lines(values.path).length) wanted.expect.path = lines(values.path);
      if (values.end.value) wanted.expect.end = values.end.value;
      if (values.by.value) wanted.expect.hung_up_by = values.by.value;
      return wanted;
    };
    const form = el(
      "form",
      {
        class: "form",
        onsubmit: async (event) => {
          event.preventDefault();
          const wanted = read();
          try {
            await ask("PUT", `${editor.address}/tests/${encodeURIComponent(wanted.name)}`, wanted);
            if (test && test.name !== wanted.name) await ask("DELETE", `${editor.address}/tests/${encodeURIComponent(test.name)}`);
            box.returnValue = "saved";
            box.close("saved");
          } catch (error) {
            fault.hidden = false;
            fault.replaceChildren(icon("alert-circle"), el("span", {}, error.message));
            fault.scrollIntoView({ block: "nearest" });
          }
        },
      },
      el("h2", {}, test ? "Change the test" : "A new test"),
      fault,
      names,
      field("Name", values.name, "What it makes sure of, for example: Sales before Christmas."),
      el("div", { class: "two" }, field("Date and time", values.at, `On the clocks of ${editor.zone}.`), field("Caller’s number", values.caller), field("Number called", values.called)),
      field("Keys", values.keys, "One line for each question, in turn; an empty line is silence."),
      el("div", { class: "field", role: "group", aria: { label: "What comes of others" } }, el("div", { class: "label" }, "What comes of others"), outcomes, button("Add", { class: "add", onclick: () => outcomes.append(outcome()) }, "plus"), el("div", { class: "help" }, "How a queue, a ringing phone or a message ends at a node, or by which exit a node is left that asks others. Without one, calls are answered and messages left.")),
      field("Expected way", values.path, "Every node by its name, one a line; those of other flows as flow.node. Empty: any way."),
      el("div", { class: "two" }, field("Prompts that must be heard", values.prompts, "In this order, one a line."), field("Prompts that must not", values.never)),
      el("div", { class: "two" }, field("It must end as", values.end), field("Hung up by", values.by), field("Caller hangs up after (seconds)", values.leaves)),
      el("label", { class: "tick" }, values.blocks, el("span", {}, "Its failing keeps a version from being published")),
      el("footer", {}, button("Cancel", { onclick: () => box.close() }), el("button", { class: "main" }, "Save")),
    );
    const box = el("dialog", { class: "wide-dialog", aria: { label: "Test" } }, form);
    box.addEventListener("keydown", (event) => event.stopPropagation());
    box.addEventListener("close", () => {
      box.remove();
      resolve(box.returnValue === "saved");
    });
    document.body.append(box);
    box.showModal();
    values.name.focus();
  });
}
