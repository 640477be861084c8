"""Settle every school that stands twice, and hint at those that may have changed their URN."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from geo.errors import Faults, did_you_mean
from geo.mainstream import CLOSED, MAINSTREAM, NOT_LISTED, read_type
from geo.shape import Shaped
from geo.telling import Note, named
from geo.twins import Links, Pair, follow, linked_pairs, unlinked_groups, without_successor

REPLACED = "stands twice, newer record kept"
REPLACED_OLDER = "stands twice, older record kept"


@dataclass
class Desk:
    """The rows on which twins are settled; `reason` and `detail` are changed in place."""

    shaped: Shaped
    reason: pd.Series
    detail: pd.Series
    tray: Faults
    notes: list[Note]

    def settle(
        self,
        policy: str,
        decided: Mapping[str, str],
        links: Links,
        elsewhere: Collection[str],
    ) -> None:
        """Settle by hand, then by link, then by name and place.

        `policy` one of twins.POLICIES; `decided` old URN -> new URN; `elsewhere` URNs that only
        the census tables know.
        """
        self._add_links(links)
        self._by_hand(decided, elsewhere)
        self._by_link()
        groups = unlinked_groups(self.shaped.table, self.reason == "")
        if policy == "ask":
            self._ask(groups)
        elif policy == "both":
            for group in groups:
                who = ", ".join(group[1:])
                text = f"{self._named(group[0])} and {who} may be one school; all are kept."
                self.notes.append(Note("twin", text, group))
        else:
            stays, word = (-1, REPLACED) if policy == "newer" else (0, REPLACED_OLDER)
            for group in groups:
                for urn in group:
                    if urn != group[stays]:
                        pair = Pair(urn, group[stays], "same name, place and ages, no link")
                        self._replace(pair, word)
        self._hint()

    def _named(self, urn: str) -> str:
        return named(self.shaped.table, urn)

    def _add_links(self, links: Links) -> None:
        """Add older URNs from the links file to the predecessors of kept schools."""
        if not links.older:
            return
        column = self.shaped.table["predecessors"]
        for urn in self.reason.index[self.reason == ""]:
            ancestors = links.ancestors(urn)
            if ancestors:
                older = {*ancestors, *column[urn].split(";")} - {"", urn}
                self.shaped.table.at[urn, "predecessors"] = ";".join(sorted(older))

    def _replace(self, pair: Pair, word: str) -> None:
        gone = self.reason[pair.new] != ""
        if gone or (self.reason[pair.old] != "" and pair.how != "by hand"):
            return  # one of the two has already given way
        filled = follow(self.shaped.table, self.shaped.why, pair)
        self.reason[pair.old] = word
        self.detail[pair.old] = f"replaced by {pair.new}"
        took = f"; it took over {', '.join(filled)}" if filled else ""
        name = self.shaped.table.at[pair.new, "name"]
        text = f"{name} stands twice: {pair.new} is kept for {pair.old}"
        self.notes.append(Note("twin", f"{text} ({pair.how}){took}.", (pair.old, pair.new)))

    def _by_hand(self, decided: Mapping[str, str], elsewhere: Collection[str]) -> None:
        table = self.shaped.table
        known = set(table.index) | set(elsewhere)
        for old, new in decided.items():
            if new not in table.index or self.reason[new] != "":
                what = f"successors names {new}, which is not a mainstream school of this file."
                alive = self.reason.index[self.reason == ""]
                self.tray.add(what, did_you_mean(new, alive) or "Check its URN.", urn=old)
            elif old not in known or old == new:
                what = "successors names an old school that is in none of the files."
                help_ = did_you_mean(old, known - {new}) or "Check its URN."
                self.tray.add(what, help_, urn=old)
            elif old not in table.index:
                older = {*table.at[new, "predecessors"].split(";"), old} - {""}
                table.at[new, "predecessors"] = ";".join(sorted(older))
                text = f"{self._named(new)} follows {old} (by hand)."
                self.notes.append(Note("twin", text, (old, new)))
            else:
                self._replace(Pair(old, new, "by hand"), REPLACED)

    def _by_link(self) -> None:
        sure, unsure = linked_pairs(self.shaped.table, self.reason == "")
        for pair in sure:
            self._replace(pair, REPLACED)
        for pair in unsure:
            text = f"{self._named(pair.new)} names {self._named(pair.old)} as its predecessor; "
            text += "both are open and differ in place, ages or name, so both are kept."
            self.notes.append(Note("link", text, (pair.old, pair.new)))

    def _ask(self, groups: list[tuple[str, ...]]) -> None:
        table = self.shaped.table
        pairs = [(old, group[-1]) for group in groups for old in group[:-1]]
        for old, new in pairs:
            self.tray.add(
                f"It stands a second time as {new}, row {table.at[new, 'row']}.",
                f'Say which stays: successors = {{"{old}" = "{new}"}} in [schools].',
                row=int(table.at[old, "row"]),
                urn=old,
                name=table.at[old, "name"],
            )
        if len(pairs) > 1:
            lines = ", ".join(f'"{old}" = "{new}"' for old, new in pairs)
            self.tray.add(f"To keep all newer ones, paste: successors = {{{lines}}}")

    def _hint(self) -> None:
        table, reason = self.shaped.table, self.reason
        kinds = {words: read_type(words)[1] for words in set(table["type"])}
        gone = reason.isin([CLOSED, NOT_LISTED]) & (table["type"].map(kinds) == MAINSTREAM)
        kept = reason == ""
        pairs = without_successor(table, kept, gone & (reason == NOT_LISTED))
        # A full extract holds decades of closed records; they matter to schools without a roll.
        pairs += without_successor(table, kept & table["pupils"].isna(), gone & (reason == CLOSED))
        pairs += without_successor(
            table, kept & table["ehc_plans"].isna(), gone & table["ehc_plans"].notna()
        )
        for pair in dict.fromkeys(pairs):
            pupils = table.at[pair.old, "pupils"]
            text = (
                f"{self._named(pair.old)} is set aside as {reason[pair.old]} with {pupils:g} "
                f"pupils; {self._named(pair.new)} stands at its place and may have taken them. If "
                f'so, write successors = {{"{pair.old}" = "{pair.new}"}} (empty figures are then '
                f"taken over) or give the new roll in [schools.fix.{pair.new}]."
            )
            self.notes.append(Note("possible successor", text, (pair.old, pair.new)))
