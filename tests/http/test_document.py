"""The API document of the whole product."""


def test_every_operation_has_a_name_of_its_own_and_a_sentence(served):
    document = served.get("/schema/openapi.json").json()
    operations = [
        operation
        for methods in document["paths"].values()
        for operation in methods.values()
        if "responses" in operation
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(names) > 50
    assert len(set(names)) == len(names)
    assert [
        name for name, operation in zip(names, operations, strict=True) if " " not in operation["summary"]
    ] == []
