// The page begins here: what there is, and Alpine's start.

import Alpine from '/web/vendor/alpine/alpine.js'
import { installCharts } from './charts.js'
import { format } from './format.js'
import { account } from './pages/account.js'
import { credits } from './pages/credits.js'
import { newTask } from './pages/new_task.js'
import { operator } from './pages/operator.js'
import { report } from './pages/report.js'
import { rows } from './pages/rows.js'
import { search } from './pages/search.js'
import { signIn } from './pages/sign_in.js'
import { task } from './pages/task.js'
import { tasks } from './pages/tasks.js'
import { shell } from './shell.js'
import { installView } from './view.js'

Alpine.store('app', shell)
Alpine.magic('f', () => format)
for (const [name, page] of Object.entries({ account, credits, newTask, operator, report, rows, search, signIn, task, tasks })) {
  Alpine.data(name, page)
}
installView(Alpine)
installCharts(Alpine)
Alpine.start()
