"""Which forms of a derivative there are, and which exclude each other."""

from xcheck.functions.forms import FORMS, complaints_about_forms, forms_of


def test_forms_are_read_off_what_came() -> None:
    """Only those that came; other names are not among them."""
    assert forms_of({"gradient": max, "vjp": None, "tolerance": 1e-7}) == {"gradient": max}


def test_each_form_says_how_it_is_called() -> None:
    """By its own name."""
    assert all(call.startswith(f"{name}(params, *data") for name, call in FORMS.items())


def test_two_of_one_order_exclude_each_other() -> None:
    """And only these: a gradient may come with a Hessian."""
    assert complaints_about_forms({"gradient": max, "hvp": max}) == []
    [complaint] = complaints_about_forms({"gradient": max, "jvp": max, "hessian": max})
    assert "give one of gradient, jvp" in complaint.text
    [complaint] = complaints_about_forms({"hessian": max, "hvp": max})
    assert "as the second derivative" in complaint.text


def test_what_is_no_function_is_said_with_the_call_that_is_made() -> None:
    """By the name of the form."""
    [complaint] = complaints_about_forms({"hvp": 3.0})
    assert complaint.key == ("hvp",)
    assert "hvp(params, *data, vector)" in complaint.text
