"""Adding a public key."""

from django import forms

from clouds.forms import fields


class KeyForm(forms.Form):
    """The service checks the key itself; a private one pasted by mistake must not come back in the page."""

    name = fields.text("Name", help="Empty: taken from the key's comment.", most=64)
    public_key = fields.lines("Public key", help="The line of the file that ends in .pub.", required=True, secret=True)
