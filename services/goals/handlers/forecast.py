"""ForecastService."""

import grpc
from foothold.goals.v1 import forecast_pb2, forecast_pb2_grpc

from access import caller
from chassis.clock import Clock
from chassis.database import Database
from chassis.validation import Fields
from services.goals.permissions import PROGRESS_READ
from services.goals.store.forecasting import read_forecasts
from services.goals.store.targets import TargetsCache
from services.goals.store.workplaces import WorkplacesCache
from services.goals.wire.forecast import from_outlook
from services.goals.wire.values import from_instant


class ForecastHandler(forecast_pb2_grpc.ForecastServiceServicer):
    """Tells how targets are likely to end, or why that cannot be told."""

    def __init__(
        self,
        database: Database,
        cache: TargetsCache,
        workplaces: WorkplacesCache,
        clock: Clock,
        currency: str,
    ) -> None:
        self._database = database
        self._cache = cache
        self._workplaces = workplaces
        self._clock = clock
        self._currency = currency

    def ForecastTargets(
        self, request: forecast_pb2.ForecastTargetsRequest, context: grpc.ServicerContext
    ) -> forecast_pb2.ForecastTargetsResponse:
        scope = caller(context).scope(PROGRESS_READ)
        fields = Fields()
        as_of = fields.optional_instant("as_of", request.as_of, present=request.HasField("as_of"))
        fields.require_valid()
        scope.require_person(request.person_id)
        directory, now = scope.caller.directory, self._clock.now()
        person = directory.person(request.person_id)
        assert person is not None  # noqa: S101  required above
        with self._database.read() as connection:
            found = read_forecasts(
                connection, self._cache, self._workplaces, directory, person, now=now, as_of=as_of
            )
        return forecast_pb2.ForecastTargetsResponse(
            forecasts=[from_outlook(each, self._currency) for each in found],
            as_of=from_instant(as_of or now),
        )
