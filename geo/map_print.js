/* On paper the map is whole and every one of `sections` (details) open. */
function startPrint(sections) {
  var before = null;
  window.addEventListener('beforeprint', function () {
    before = {view: map.getBounds(), open: []};
    sections.forEach(function (section) {
      if (!section.open) { section.open = true; before.open.push(section); }
    });
    map.closePopup();
    var all = before.view.contains(whole);
    var view = all ? whole : before.view;
    var south = map.project(view.getSouthWest());
    var north = map.project(view.getNorthEast());
    var tall = 680 * Math.abs((south.y - north.y) / (north.x - south.x)) + 20;
    frame.style.cssText = 'flex:none;width:680px;height:' + Math.round(Math.min(Math.max(tall, 380), 760)) + 'px';
    map.invalidateSize({animate: false});
    if (all) { fit(); } else { map.fitBounds(view, {animate: false}); }
  });
  window.addEventListener('afterprint', function () {
    if (!before) { return; }
    frame.style.cssText = '';
    before.open.forEach(function (section) { section.open = false; });
    map.invalidateSize({animate: false});
    map.fitBounds(before.view, {animate: false});
    before = null;
  });
}
