"""What can be asked for: open to everybody, read from the declarations."""

from fastapi import APIRouter

from api.error_responses import problems
from api.tool_schemas import AgentView, InputRoleView, ToolList, ToolView
from backend.errors import NoSuchTool
from transformers.catalog import tools
from transformers.input_plan import PARAMETERS_FILE
from transformers.tool import InputRole, Step, Tool

router = APIRouter(prefix="/tools", tags=["tools"])


@router.get("", operation_id="list_tools", summary="The tools there are")
def list_tools() -> ToolList:
    return ToolList(tools=[_tool(tool) for tool in tools().values()])


@router.get(
    "/{tool_id}",
    operation_id="get_tool",
    summary="One tool: agents, prices, parameters, formats",
    responses=problems(NoSuchTool, signed_in=False),
)
def get_tool(tool_id: str) -> ToolView:
    tool = tools().get(tool_id)
    if tool is None:
        raise NoSuchTool(tools=sorted(tools()))
    return _tool(tool)


def _tool(tool: Tool) -> ToolView:
    return ToolView(
        tool_id=tool.id,
        name=tool.name,
        description=tool.description,
        time_limit_seconds=tool.time_limit.total_seconds(),
        inputs=[_role(role) for role in (*tool.roles, PARAMETERS_FILE)],
        agents=[_agent(step) for step in tool.steps],
    )


def _role(role: InputRole) -> InputRoleView:
    return InputRoleView(role=role.name, required=role.required, formats=list(role.formats), max_bytes=role.max_bytes)


def _agent(step: Step) -> AgentView:
    return AgentView(
        agent_id=step.id,
        agent_name=step.agent.name,
        description=step.agent.description,
        price=step.price,
        required=step.required,
        roles=list(step.agent.roles),
        parameters=step.agent.parameters.model_json_schema(),
    )
