"""What can be asked for: open to everybody, read from the declarations."""

from fastapi import APIRouter

from api.dependencies import ModelsDep
from api.error_responses import problems
from api.tool_schemas import AgentView, InputRoleView, TariffView, ToolList, ToolView
from backend.errors import NoSuchTool
from backend.language_models.door import LanguageModels
from transformers.availability import models_of, why_unavailable
from transformers.catalog import tools
from transformers.input_plan import PARAMETERS_FILE
from transformers.tool import InputRole, Step, Tool

router = APIRouter(prefix="/tools", tags=["tools"])


@router.get("", operation_id="list_tools", summary="The tools there are")
def list_tools(models: ModelsDep) -> ToolList:
    """Also those that cannot be asked for here, with the reason."""
    return ToolList(tools=[_tool(tool, models) for tool in tools().values()])


@router.get(
    "/{tool_id}",
    operation_id="get_tool",
    summary="One tool: agents, prices, parameters, formats",
    responses=problems(NoSuchTool, signed_in=False),
)
def get_tool(tool_id: str, models: ModelsDep) -> ToolView:
    tool = tools().get(tool_id)
    if tool is None:
        raise NoSuchTool(tools=sorted(tools()))
    return _tool(tool, models)


def _tool(tool: Tool, models: LanguageModels) -> ToolView:
    reason = why_unavailable(tool, models.why_unavailable)
    return ToolView(
        tool_id=tool.id,
        name=tool.name,
        description=tool.description,
        available=reason is None,
        unavailable_reason=reason,
        models=list(models_of(tool, models.offered())),
        splits=any(step.fans_out for step in tool.steps),
        time_limit_seconds=tool.time_limit.total_seconds(),
        inputs=[_role(role) for role in (*tool.roles, PARAMETERS_FILE)],
        agents=[_agent(step) for step in tool.steps],
    )


def _role(role: InputRole) -> InputRoleView:
    return InputRoleView(
        role=role.name, required=role.required, formats=list(role.formats), max_bytes=role.max_bytes, many=role.many
    )


def _agent(step: Step) -> AgentView:
    return AgentView(
        agent_id=step.id,
        agent_name=step.agent.name,
        description=step.agent.description,
        price=step.price,
        tariff=TariffView(**step.tariff.model_dump()) if step.tariff else None,
        in_children=step.in_children,
        required=step.required,
        roles=list(step.agent.roles),
        parameters=step.agent.parameters.model_json_schema(),
    )
