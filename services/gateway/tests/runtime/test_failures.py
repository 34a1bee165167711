"""Callers get a refusal when something that a use case needs is unavailable."""

import pytest
from gameshelf.gateway.runtime.failures import as_domain_error, is_own_fault, is_passing
from gameshelf.kernel.errors import DependencyUnavailable
from gameshelf.savegames import StoreUnavailable


class CatalogUnavailable(DependencyUnavailable):
    dependency = "catalog"


@pytest.mark.parametrize(("error", "named"), [(CatalogUnavailable("10.0.0.1"), "catalog"), (StoreUnavailable(), "s3")])
def test_an_unavailable_dependency_is_named_without_its_message(error, named):
    assert is_passing(error)
    assert not is_own_fault(error)
    answer = as_domain_error(error)
    assert (answer.code, answer.meta) == ("SERVICE_UNAVAILABLE", {"dependency": named})
    assert "10.0.0.1" not in str(answer)
