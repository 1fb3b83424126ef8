SELECT digest FROM sources
