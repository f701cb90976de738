#include "workers/notify/alarm_words.h"

static const struct alarm_words all[ALARM_END] = {
	[ALARM_CUT] = {"une coupure d’énergie en cours", "coupures d’énergie en cours",
		       "Un appel au ménage d’abord, puis au fournisseur pour le "
		       "rétablissement. La visite passe avant toutes les autres.",
		       ABOUT_CASES},
	[ALARM_WATER_CUT] = {"une coupure ou limitation d’eau", "coupures ou limitations d’eau",
			     "La loi l’interdit dans une résidence principale. Demandez au "
			     "distributeur de rétablir l’eau sans attendre.",
			     ABOUT_CASES},
	[ALARM_NO_SECTOR] = {"un dossier sans secteur", "dossiers sans secteur",
			     "Vérifiez la commune avec le donneur d’alerte. Si elle est juste, "
			     "elle manque au découpage des secteurs.",
			     ABOUT_CASES},
	[ALARM_DEROGATION_WANTED] = {"une dérogation à décider", "dérogations à décider",
				     "La situation est critique et le secteur fermé. Accordez ou "
				     "refusez la visite.",
				     ABOUT_CASES},
	[ALARM_POSSIBLE_DUPLICATE] = {"un doublon possible", "doublons possibles",
				      "Comparez les ménages deux à deux, et dites s’ils n’en font "
				      "qu’un.",
				      ABOUT_CASES},
	[ALARM_UNSAFE_VISIT] = {"une visite interrompue par prudence",
				"visites interrompues par prudence",
				"Voyez avec le binôme comment y retourner, ou clôturez le dossier.",
				ABOUT_CASES},
	[ALARM_UNREACHABLE] = {"un ménage absent deux fois", "ménages absents deux fois",
			       "Tentez un dernier appel, ou un mot au donneur d’alerte. Sinon, "
			       "clôturez le dossier comme injoignable.",
			       ABOUT_CASES},
	[ALARM_UNRECORDED_VISIT] = {"une visite sans compte rendu", "visites sans compte rendu",
				    "Demandez au binôme ce qu’il en est, et enregistrez le "
				    "résultat.",
				    ABOUT_CASES},
	[ALARM_ABSENT_PAIR] = {"une visite confirmée pendant l’absence du binôme",
			       "visites confirmées pendant l’absence du binôme",
			       "Personne ne sera à la porte. Déplacez la visite à un jour où le "
			       "binôme est là, ou annulez-la.",
			       ABOUT_CASES},
	[ALARM_STALE_SUPPLY] = {"une coupure sans nouvelles depuis longtemps",
				"coupures sans nouvelles depuis longtemps",
				"Vérifiez auprès du ménage ou du fournisseur si l’énergie est "
				"revenue, et faites-le enregistrer.",
				ABOUT_CASES},
	[ALARM_UNKNOWN_GIVER] = {"un donneur d’alerte inconnu", "donneurs d’alerte inconnus",
				 "Leurs messages attendent. Faites-les inscrire avec leur adresse "
				 "avant trente jours.",
				 ABOUT_NAMES},
	[ALARM_REFUSED_ADDRESS] = {"une adresse qui n’accepte plus nos messages",
				   "adresses qui n’acceptent plus nos messages",
				   "Demandez la bonne adresse, et faites-la corriger dans la liste "
				   "des donneurs d’alerte.",
				   ABOUT_NAMES},
	[ALARM_EMPTY_CANTON] = {"un canton sans donneur d’alerte", "cantons sans donneur d’alerte",
				"Personne n’y repère plus les ménages en difficulté. Cherchez un "
				"relais sur place.",
				ABOUT_NAMES},
	[ALARM_QUIET_GIVER] = {"un donneur d’alerte silencieux depuis l’ouverture",
			       "donneurs d’alerte silencieux depuis l’ouverture",
			       "Un appel suffit souvent. Changement de poste, doute sur la "
			       "démarche, ou simplement rien à signaler.",
			       ABOUT_NAMES},
	[ALARM_UNKNOWN_PLACE] =
		{"un lieu inconnu chez un donneur d’alerte",
		 "lieux inconnus chez des donneurs d’alerte",
		 "Aucun secteur ne les contient, et ces personnes ne sauraient rien "
		 "des ouvertures. Faites corriger leur canton ou leur commune.",
		 ABOUT_NAMES},
	[ALARM_BURIED_TASK] = {"une tâche abandonnée après plusieurs essais",
			       "tâches abandonnées après plusieurs essais",
			       "Un message ou un plan de visites n’a pas abouti. Demandez à la "
			       "personne qui s’occupe de l’outil d’en chercher la cause et de "
			       "relancer.",
			       ABOUT_TASKS},
};

const struct alarm_words *alarm_words(uint32_t alarm)
{
	assert(alarm > 0 && alarm < ALARM_END);
	return &all[alarm];
}
