# Completion of vigiectl for bash. Made by `vigiectl --completion`; do not edit.

_vigiectl()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local words= skip= word

	for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
		if [ -n "$skip" ]; then skip=; continue; fi
		case $word in
		-c|--config|--status-socket|--control-socket) skip=1 ;;
		-*) ;;
		*) words+="$word " ;;
		esac
	done
	case $previous in
	-c|--config|--status-socket|--control-socket)
		COMPREPLY=($(compgen -f -- "$current")); return ;;
	esac

	case $words in
	"") COMPREPLY=($(compgen -W "status queue case visit pair sector giver household duplicate event household task report mail policy verify clock --config --status-socket --control-socket --json --help" -- "$current")) ;;
	"status "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--digest --json --help" -- "$current")) ;;
	"queue list "*)
		case $previous in
		--sector) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		--tier) COMPREPLY=($(compgen -W "cut critical urgent normal" -- "$current")); return ;;
		--state) COMPREPLY=($(compgen -W "needs_contact waiting deferred planned visited closed" -- "$current")); return ;;
		--limit) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		--on) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -W "--sector --tier --state --limit --on --json --help" -- "$current")) ;;
	"case explain "*)
		case $previous in
		--on) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -W "--on --json --help" -- "$current")) ;;
	"case show "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"case close "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "done ineligible unreachable withdrawn moved_away --json --help" -- "$current")) ;;
	"case derogate "*)
		case $previous in
		--until) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -W "allow deny --until --json --help" -- "$current")) ;;
	"visit list "*)
		case $previous in
		--week) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		--from) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		--to) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		--pair) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		--state) COMPREPLY=($(compgen -W "planned confirmed done no_show declined moved_away unsafe cancelled dropped" -- "$current")); return ;;
		--limit) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -W "--week --from --to --pair --state --limit --json --help" -- "$current")) ;;
	"visit confirm "*)
		case $previous in
		--day) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		--half) COMPREPLY=($(compgen -W "am pm" -- "$current")); return ;;
		--week) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -W "--day --half --week --all --json --help" -- "$current")) ;;
	"visit move "*)
		case $previous in
		--by) COMPREPLY=($(compgen -W "household pair coordinator" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -W "am pm --by --json --help" -- "$current")) ;;
	"visit cancel "*)
		case $previous in
		--by) COMPREPLY=($(compgen -W "household pair coordinator" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -W "--by --json --help" -- "$current")) ;;
	"visit record "*)
		case $previous in
		--onward) COMPREPLY=($(compgen -W "fsl supplier_plan energy_voucher renovation_aid landlord legal health budget_advice" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -W "done no_show declined moved_away unsafe --second-visit --onward --json --help" -- "$current")) ;;
	"visit sheet "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"pair list "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"pair absent "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"sector list "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"giver list "*)
		case $previous in
		--sector) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		--kind) COMPREPLY=($(compgen -W "department_social_worker partner_social_worker partner_structure workshop supplier household" -- "$current")); return ;;
		--limit) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -W "--sector --kind --quiet --unknown --limit --json --help" -- "$current")) ;;
	"giver show "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"household show "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"duplicate list "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"duplicate settle "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "same different --json --help" -- "$current")) ;;
	"event retract "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"event suspects "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"event admit "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"household erase "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--forever --json --help" -- "$current")) ;;
	"task list "*)
		case $previous in
		--state) COMPREPLY=($(compgen -W "scheduled ready leased retrying held done buried cancelled expired" -- "$current")); return ;;
		--kind) COMPREPLY=($(compgen -W "mail plan nothing" -- "$current")); return ;;
		--limit) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -W "--state --kind --limit --json --help" -- "$current")) ;;
	"task kick "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--buried --retrying --json --help" -- "$current")) ;;
	"report "*)
		case $previous in
		--year) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		--sector) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		--kind) COMPREPLY=($(compgen -W "department_social_worker partner_social_worker partner_structure workshop supplier household unknown all" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -W "--year --sector --kind --full --csv --json --help" -- "$current")) ;;
	"mail preview "*)
		case $previous in
		--template) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		--all) COMPREPLY=($(compgen -f -W "" -- "$current")); return ;;
		--templates) COMPREPLY=($(compgen -f -W "" -- "$current")); return ;;
		--html) COMPREPLY=($(compgen -f -W "" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -W "--template --all --templates --html --json --help" -- "$current")) ;;
	"policy check "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -f -W "--file-only --json --help" -- "$current")) ;;
	"policy diff "*)
		case $previous in
		--limit) COMPREPLY=($(compgen -W "" -- "$current")); return ;;
		esac
		COMPREPLY=($(compgen -f -W "--limit --json --help" -- "$current")) ;;
	"policy apply "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -f -W "--json --help" -- "$current")) ;;
	"verify "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"clock advance "*)
		case $previous in
		esac
		COMPREPLY=($(compgen -W "--json --help" -- "$current")) ;;
	"queue ") COMPREPLY=($(compgen -W "list" -- "$current")) ;;
	"case ") COMPREPLY=($(compgen -W "explain show close derogate" -- "$current")) ;;
	"visit ") COMPREPLY=($(compgen -W "list confirm move cancel record sheet" -- "$current")) ;;
	"pair ") COMPREPLY=($(compgen -W "list absent" -- "$current")) ;;
	"sector ") COMPREPLY=($(compgen -W "list" -- "$current")) ;;
	"giver ") COMPREPLY=($(compgen -W "list show" -- "$current")) ;;
	"household ") COMPREPLY=($(compgen -W "show erase" -- "$current")) ;;
	"duplicate ") COMPREPLY=($(compgen -W "list settle" -- "$current")) ;;
	"event ") COMPREPLY=($(compgen -W "retract suspects admit" -- "$current")) ;;
	"household ") COMPREPLY=($(compgen -W "erase" -- "$current")) ;;
	"task ") COMPREPLY=($(compgen -W "list kick" -- "$current")) ;;
	"mail ") COMPREPLY=($(compgen -W "preview" -- "$current")) ;;
	"policy ") COMPREPLY=($(compgen -W "check diff apply" -- "$current")) ;;
	"clock ") COMPREPLY=($(compgen -W "advance" -- "$current")) ;;
	esac
}
complete -F _vigiectl vigiectl
