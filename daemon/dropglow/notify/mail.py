"""Hand one message to a mail server. Blocks: it belongs into a thread."""

from __future__ import annotations

import contextlib
import smtplib
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from dropglow.errors import NotTold
from dropglow.notices import Message
from dropglow.notify.discretion import forms_of_login, quoted
from dropglow.notify.settings import Mail, Tls
from dropglow.notify.trust import trust

STEP_S = 15.0  # for a connection, and for each answer


def send_mail(mail: Mail, message: Message, *, title: str, password: str) -> None:
    """Send *message* to everybody in *mail*, in one transaction.

    Raises:
        NotTold: The server did not take it, or not for everybody.
    """
    letter = letter_of(mail, message, title=title)
    try:
        refused = _sent(mail, letter, password)
    except smtplib.SMTPException as error:
        raise NotTold(
            f"the mail server {mail.server} refused: {_told(error, mail.user, password)}", hint=_hint(error)
        ) from None
    except (OSError, ValueError) as error:  # ValueError: what cannot be written in a header
        raise NotTold(f"the mail server {mail.server} cannot be reached: {error}") from None
    if refused:
        raise NotTold(f"the mail server {mail.server} takes no mail for {', '.join(sorted(refused))}")


def letter_of(mail: Mail, message: Message, *, title: str) -> EmailMessage:
    """Return *message* as a mail that no machine answers."""
    letter = EmailMessage()
    letter["Subject"] = title
    letter["From"] = mail.sender
    letter["To"] = ", ".join(mail.to)
    letter["Date"] = formatdate()
    letter["Message-ID"] = make_msgid(domain=mail.sender.rpartition("@")[2])
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(f"{message.text}\n")
    return letter


def _sent(mail: Mail, letter: EmailMessage, password: str) -> dict[str, tuple[int, bytes]]:
    """Return whom the server refused."""
    if mail.tls is Tls.IMPLICIT:
        server: smtplib.SMTP = smtplib.SMTP_SSL(mail.server, mail.port, timeout=STEP_S, context=trust())
    else:
        server = smtplib.SMTP(mail.server, mail.port, timeout=STEP_S)
    with contextlib.closing(server):
        if mail.tls is Tls.STARTTLS:
            server.starttls(
                context=trust()
            )  # raises where the server offers none: nothing is sent in the clear
        if mail.user:
            server.login(mail.user, password)
        refused = server.send_message(letter)
        with contextlib.suppress(smtplib.SMTPException, OSError):
            server.quit()  # what is taken is taken, however oddly a server says goodbye
    return refused


def _told(error: smtplib.SMTPException, user: str, password: str) -> str:
    """Return what the server said, without what was sent."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        return f"{error.smtp_code} {quoted(forms_of_login(user, password), text)}"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"it takes no mail for {', '.join(sorted(error.recipients))}"
    return str(error) or type(error).__name__


def _hint(error: smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "are its user and its secret right?"
    return (
        "does it offer STARTTLS? tls: implicit is for port 465"
        if isinstance(error, smtplib.SMTPNotSupportedError)
        else ""
    )
