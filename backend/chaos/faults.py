"""The list of faults, in the order in which they are rehearsed. How each is done is in the files beside this one."""

from backend.chaos.broker_faults import BROKER_FAULTS
from backend.chaos.database_faults import DATABASE_FAULTS
from backend.chaos.machine_faults import MACHINE_FAULTS
from backend.chaos.process_faults import PROCESS_FAULTS
from backend.chaos.store_faults import STORE_FAULTS

FAULTS = (*PROCESS_FAULTS, *BROKER_FAULTS, *DATABASE_FAULTS, *STORE_FAULTS, *MACHINE_FAULTS)
