"""Where the API is, by the configuration file and the environment, and what is wrong with its addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dropglow.firefly.addresses import is_host_pattern, is_loopback, url_fault
from dropglow.firefly.settings import ApiSettings
from dropglow.rules.configuration import ApiShape, ConfigurationShape
from dropglow.rules.load import Fault, Harvest, Source
from dropglow.rules.problem import Problem
from dropglow.rules.review import Review
from dropglow.rules.units import shown

URL_VARIABLES: Final = {"base_url": "DROPGLOW_API_URL", "token_url": "DROPGLOW_TOKEN_URL"}


def api_settings(
    read: Review[ConfigurationShape], source: Source, *, environ: Mapping[str, str], harvest: Harvest
) -> ApiSettings:
    """Return where the API is and who may be trusted with what: as the environment says, the file, or as usual.

    What is wrong with it goes into *harvest*.
    """
    usual = ApiSettings()
    shape = read.value.api or ApiShape()
    named = environ.get(URL_VARIABLES["base_url"])
    base_url = named or shape.base_url or usual.base_url
    settings = ApiSettings(
        base_url=base_url.rstrip("/"),
        token_url=environ.get(URL_VARIABLES["token_url"]) or shape.token_url or usual.token_url,
        scopes=_given(shape.scopes, usual.scopes),
        trusted_hosts=_given(shape.trusted_hosts, usual.trusted_hosts),
        result_hosts=_given(shape.result_hosts, usual.result_hosts),
    )
    # What cannot be known of base_url is not held against token_url.
    base_known = bool(named) or ("api", "base_url") not in read.places
    loopback = is_loopback(settings.base_url) or not base_known
    for key in URL_VARIABLES:
        fault = url_fault(getattr(settings, key), loopback=loopback)
        if fault is not None:
            harvest.faults.append(_address_fault(key, f"{key} {fault}", source, environ))
    for key in ("trusted_hosts", "result_hosts"):
        for place, host in enumerate(getattr(settings, key)):
            if not is_host_pattern(host):
                message = f"{key} should hold host names like *.example.com, not {shown(host)}"
                harvest.faults.append(source.fault(Problem(path=("api", key, place), message=message)))
    return settings


def _given(values: list[str] | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    return usual if values is None else tuple(values)


def _address_fault(key: str, message: str, source: Source, environ: Mapping[str, str]) -> Fault:
    variable = URL_VARIABLES[key]
    if environ.get(variable):
        return Fault(file=f"${variable}", line=1, column=1, message=message)
    return source.fault(Problem(path=("api", key), message=message))
