/* What is shown stands in the address, so that it can be sent to others and the back button works. */
function byId(name) { return document.getElementById(name); }
var keys = data.options.map(function (option) { return option.key; });
var first = document.querySelector('input[name="option"][checked]').value;
var rows = Array.prototype.slice.call(document.querySelectorAll('#schools-table tbody tr'));
var schools = rows.map(function (row) {
  return {name: row.cells[0].textContent, urn: row.cells[1].textContent, phase: row.cells[2].textContent,
    area: row.cells[3].textContent, sector: data.sectors ? row.cells[4].textContent : ''};
});
var places = {};
schools.forEach(function (school, index) { places[school.urn] = index; });

function otherThan(key) { return keys[key === keys[0] ? 1 : 0] || key; }
/* Whatever the address says, what comes out can be shown. */
function readState() {
  var said = new URLSearchParams(location.hash.slice(1));
  var option = keys.indexOf(said.get('option')) >= 0 ? said.get('option') : first;
  var beside = keys.indexOf(said.get('with')) >= 0 && said.get('with') !== option ? said.get('with') : '';
  var two = said.get('view') === 'two' && keys.length > 1;
  var school = Object.prototype.hasOwnProperty.call(places, said.get('school')) ? places[said.get('school')] : -1;
  var cluster = school >= 0 ? 0 : Number(said.get('cluster')) || 0;
  if (!data.options[keys.indexOf(option)].clusters.some(function (one) { return one.no === cluster; })) { cluster = 0; }
  return {option: option, beside: two && !beside ? otherThan(option) : beside, two: two, school: school, cluster: cluster};
}
function addressOf(state) {
  var said = ['option=' + state.option];
  if (state.beside) { said.push('with=' + state.beside); }
  if (state.two) { said.push('view=two'); }
  if (state.school >= 0) { said.push('school=' + schools[state.school].urn); }
  if (state.cluster) { said.push('cluster=' + state.cluster); }
  return '#' + said.join('&');
}
function change(parts) { location.hash = addressOf(Object.assign({}, state, parts)); }
/* A school, a cluster of the option at a position, or nothing; the focus follows what people chose. */
var follow = false;
function choose(what, at) {
  var parts = {school: what.school === undefined ? -1 : what.school, cluster: what.cluster || 0};
  if (parts.cluster && keys[at] !== state.option) {
    parts.option = keys[at];
    parts.beside = state.option;
  }
  follow = parts.school >= 0 || parts.cluster > 0;
  if (follow && !byId('card').contains(document.activeElement)) { opener = document.activeElement; }
  var now = location.hash;
  change(parts);
  if (location.hash === now) { apply(); }
}
var opener = null;

function optionOf(key) { return data.options[keys.indexOf(key)]; }
function clusterOf(option, school) { return option.clusters[option.of[school]]; }
function clusterWords(option, school) {
  var cluster = clusterOf(option, school);
  return cluster ? cluster.no + ' · ' + cluster.name : 'in no cluster';
}
function minutesWords(option, school) {
  var minutes = option.minutes[school];
  var cluster = clusterOf(option, school);
  if (!cluster) { return '–'; }
  if (cluster.hub === school) { return 'is the hub'; }
  return minutes < 0 ? 'not known' : minutes === 0 ? 'less than a minute' : 'about ' + minutes + (minutes === 1 ? ' minute' : ' minutes');
}
function bandOf(minutes) {
  var at = data.bands.findIndex(function (end) { return minutes <= end; });
  return at < 0 ? data.bands.length : at;
}
function reachRadius(band) { return 6 + 3.5 * band; }
/* The two options that are compared, the earlier first, and who moves between them. */
function comparison() {
  if (!state.beside) { return null; }
  var pair = [keys.indexOf(state.option), keys.indexOf(state.beside)].sort(function (a, b) { return a - b; });
  return {before: data.options[pair[0]], after: data.options[pair[1]], moves: data.moves[keys[pair[0]] + ' ' + keys[pair[1]]] || []};
}
