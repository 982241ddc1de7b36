// Before anything is painted, so that nobody is dazzled by the wrong theme; shell.js keeps it afterwards.
const chosen = localStorage.getItem('agensium.theme') || 'auto'
const isDark = chosen === 'dark' || (chosen === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)
document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
