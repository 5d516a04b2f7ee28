"""QTI 2.1, a zip of one XML file a question. https://www.imsglobal.org/question/qtiv2p1/imsqti_infov2p1.html"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dlquiz.quiz.interchange.plain import Plain

_QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
_PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
_TEMPLATES = "http://www.imsglobal.org/question/qti_v2p1/rptemplates"
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def write(questions: Iterable[Plain]) -> bytes:
    """The questions as a content package: `imsmanifest.xml`, `items/ID.xml` and their pictures."""
    file = io.BytesIO()
    manifest = Element("manifest", xmlns=_PACKAGE, identifier="dlquiz")
    SubElement(SubElement(manifest, "metadata"), "schema").text = "QTIv2.1 Package"
    SubElement(manifest[0], "schemaversion").text = "1.0.0"
    SubElement(manifest, "organizations")
    resources = SubElement(manifest, "resources")
    drawn: set[str] = set()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:

        def put(name: str, content: bytes) -> None:
            package.writestr(zipfile.ZipInfo(name, _EARLIEST), content, zipfile.ZIP_DEFLATED)

        for one in questions:
            name = f"items/{one.item.id}.xml"
            put(name, _document(_item(one)))
            resource = SubElement(
                resources, "resource", identifier=one.item.id, type="imsqti_item_xmlv2p1", href=name
            )
            SubElement(resource, "file", href=name)
            if one.picture:
                picture = f"items/{one.item.plot}.svg"
                SubElement(resource, "file", href=picture)
                if picture not in drawn:
                    put(picture, one.picture.encode())
                    drawn.add(picture)
        put("imsmanifest.xml", _document(manifest))
    return file.getvalue()


def _item(one: Plain) -> Element:
    item = Element(
        "assessmentItem",
        xmlns=_QTI,
        identifier=one.item.id,
        title=one.item.id,
        adaptive="false",
        timeDependent="false",
    )
    response = SubElement(item, "responseDeclaration", identifier="RESPONSE")
    score = SubElement(item, "outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float")
    SubElement(SubElement(score, "defaultValue"), "value").text = "0"
    SubElement(item, "outcomeDeclaration", identifier="FEEDBACK", cardinality="single", baseType="identifier")
    body = SubElement(item, "itemBody")
    for line in one.text.split("\n"):
        if line.strip() and one.kind != "word":
            SubElement(body, "p").text = line
    if one.picture:
        SubElement(SubElement(body, "p"), "img", src=f"{one.item.plot}.svg", alt="a picture of the question")
    processing = _INTERACTIONS[one.kind](one, response, body)
    if isinstance(processing, str):
        SubElement(item, "responseProcessing", template=f"{_TEMPLATES}/{processing}")
    elif processing is not None:
        item.append(processing)
    return item


def _choice(one: Plain, response: Element, body: Element) -> str:
    many = one.kind == "choices"
    names = [f"C{place}" for place in range(1, len(one.choices) + 1)]
    rights = [name for name, choice in zip(names, one.choices, strict=True) if choice.right]
    _declare(response, "multiple" if many else "single", "identifier", rights)
    share = 1 / len(rights)
    if many:
        mapping = SubElement(response, "mapping", lowerBound="0", upperBound="1", defaultValue="0")
        for name in names:
            worth = share if name in rights else -share
            SubElement(mapping, "mapEntry", mapKey=name, mappedValue=f"{worth:.6g}")
    question = SubElement(
        body,
        "choiceInteraction",
        responseIdentifier="RESPONSE",
        shuffle="true",
        maxChoices=str(int(not many)),
    )
    for name, choice in zip(names, one.choices, strict=True):
        SubElement(question, "simpleChoice", identifier=name).text = choice.text
    return "map_response" if many else "match_correct"


def _number(one: Plain, response: Element, body: Element) -> Element:
    right, tolerance = one.number
    _declare(response, "single", "float", [f"{right}"])
    entry = SubElement(body, "p")
    SubElement(entry, "textEntryInteraction", responseIdentifier="RESPONSE", expectedLength="12")
    entry[-1].tail = f" {one.item.unit}" if one.item.unit else None
    processing = Element("responseProcessing")
    rule = SubElement(SubElement(processing, "responseCondition"), "responseIf")
    told = {"toleranceMode": "absolute", "tolerance": f"{tolerance:.6g} {tolerance:.6g}"} if tolerance else {}
    equal = SubElement(rule, "equal", {"toleranceMode": "exact", **told})
    SubElement(equal, "variable", identifier="RESPONSE")
    SubElement(equal, "correct", identifier="RESPONSE")
    SubElement(
        SubElement(rule, "setOutcomeValue", identifier="SCORE"), "baseValue", baseType="float"
    ).text = "1"
    return processing


def _word(one: Plain, response: Element, body: Element) -> str:
    _declare(response, "single", "string", one.item.accepted[:1])
    mapping = SubElement(response, "mapping", lowerBound="0", upperBound="1", defaultValue="0")
    for word in one.item.accepted:
        SubElement(mapping, "mapEntry", mapKey=word, mappedValue="1", caseSensitive="false")
    before, _, after = one.text.partition("____")
    entry = SubElement(body, "p")
    entry.text = before
    SubElement(entry, "textEntryInteraction", responseIdentifier="RESPONSE", expectedLength="20").tail = after
    return "map_response"


def _pairs(one: Plain, response: Element, body: Element) -> str:
    question, item = one.question, one.item
    left = {text: f"L{place}" for place, text in enumerate(question.lefts, 1)}
    right = {text: f"R{place}" for place, text in enumerate(question.rights, 1)}
    pairs = [f"{left[first]} {right[second]}" for first, second in item.pairs]
    _declare(response, "multiple", "directedPair", pairs)
    mapping = SubElement(response, "mapping", lowerBound="0", upperBound="1", defaultValue="0")
    for pair in pairs:
        SubElement(mapping, "mapEntry", mapKey=pair, mappedValue=f"{1 / len(pairs):.6g}")
    match = SubElement(
        body,
        "matchInteraction",
        responseIdentifier="RESPONSE",
        shuffle="true",
        maxAssociations=str(len(pairs)),
    )
    for side in (left, right):
        group = SubElement(match, "simpleMatchSet")
        for text, name in side.items():
            SubElement(group, "simpleAssociableChoice", identifier=name, matchMax="1").text = text
    return "map_response"


def _order(one: Plain, response: Element, body: Element) -> str:
    names = {step: f"S{place}" for place, step in enumerate(one.question.steps, 1)}
    _declare(response, "ordered", "identifier", [names[step] for step in one.item.steps])
    order = SubElement(body, "orderInteraction", responseIdentifier="RESPONSE", shuffle="true")
    for step, name in names.items():
        SubElement(order, "simpleChoice", identifier=name).text = step
    return "match_correct"


def _open(one: Plain, response: Element, body: Element) -> None:
    response.set("cardinality", "single")
    response.set("baseType", "string")
    SubElement(body, "extendedTextInteraction", responseIdentifier="RESPONSE")


def _declare(response: Element, cardinality: str, kind: str, values: Sequence[str]) -> None:
    response.set("cardinality", cardinality)
    response.set("baseType", kind)
    correct = SubElement(response, "correctResponse")
    for value in values:
        SubElement(correct, "value").text = value


_INTERACTIONS: dict[str, Callable[[Plain, Element, Element], str | Element | None]] = {
    "choice": _choice,
    "choices": _choice,
    "number": _number,
    "word": _word,
    "pairs": _pairs,
    "order": _order,
    "open": _open,
}


def _document(root: Element) -> bytes:
    if root.tag == "manifest":
        indent(root)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))
